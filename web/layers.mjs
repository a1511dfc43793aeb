// Rules for the imports of web/src and web/demo, for dependency-cruiser: npm run layers

/** Folders of web/src -> those that their files may import from, besides their own. */
const FOLDERS = {
  protocol: [],
  assets: ["protocol"],
  contract: ["assets", "protocol"],
  lifecycle: ["contract", "assets", "protocol"],
  graph: ["protocol"],
  tracks: ["protocol"],
  frames: ["contract", "assets", "protocol"],
  api: ["lifecycle", "graph", "tracks", "frames", "contract", "assets", "protocol"],
  worklet: ["protocol"],
  worker: ["worklet", "protocol"],
};

/** What the adapter for 100ms shares with the package without going through its entry: it works on audio nodes. */
const SHARED_BY_100MS = "^web/src/(lifecycle/node-factory|graph/node-switch)\\.ts$";

const layers = Object.entries(FOLDERS).map(([folder, others]) => ({
  name: `folder-${folder}`,
  from: { path: `^web/src/${folder}/` },
  to: { pathNot: `^web/src/(${[folder, ...others].join("|")})/` },
}));

export default {
  forbidden: [
    { name: "no-circle", comment: "type imports count", from: {}, to: { circular: true } },
    ...layers,
    {
      name: "adapters",
      comment: "adapters import only the public entry",
      from: { path: "^web/src/adapters/", pathNot: "/100ms\\.ts$" },
      to: { pathNot: "^web/src/(adapters/|sordino\\.ts$)" },
    },
    {
      name: "adapter-100ms",
      from: { path: "^web/src/adapters/100ms\\.ts$" },
      to: { pathNot: ["^web/src/sordino\\.ts$", SHARED_BY_100MS] },
    },
    { name: "no-page-imports", from: { path: "^web/src/" }, to: { path: "^web/demo/" } },
    { name: "resolved", from: {}, to: { couldNotResolve: true, pathNot: "^sordino$" } },
  ].map((rule) => ({ severity: "error", ...rule })),
  options: { parser: "swc", doNotFollow: { path: "node_modules" } },
};
