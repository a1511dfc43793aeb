// Rules for the imports of web/src and web/demo, for dependency-cruiser: npm run layers

/** Which code runs on which thread: a folder's files may import only from the folders named. */
const THREADS = {
  worklet: { from: "^web/src/worklet/", to: "^web/src/(worklet/|messages|params)" },
  worker: { from: "^web/src/worker/", to: "^web/src/(worker/|worklet/|messages|params)" },
};

export default {
  forbidden: [
    { name: "no-circle", comment: "type imports count", from: {}, to: { circular: true } },
    {
      name: "no-page-imports",
      comment: "src knows nothing of demo",
      from: { path: "^web/src/" },
      to: { path: "^web/demo/" },
    },
    ...Object.entries(THREADS).map(([name, { from, to }]) => ({
      name: `${name}-thread`,
      comment: "no code of the page thread on another thread",
      from: { path: from },
      to: { pathNot: to },
    })),
    { name: "resolved", from: {}, to: { couldNotResolve: true, pathNot: "^sordino$" } },
  ].map((rule) => ({ severity: "error", ...rule })),
  options: { parser: "swc", doNotFollow: { path: "node_modules" } },
};
