// Nothing special is needed: webpack finds the package's files by new URL(..., import.meta.url).
module.exports = {
  mode: "production",
  entry: "./main.js",
  output: { filename: "main.js", clean: true },
  performance: { hints: false },
};
