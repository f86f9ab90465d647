// Before the first paint, and from its own file: the content security policy allows no inline script.
(() => {
  let theme = "system";
  let density = "comfortable";
  try {
    theme = localStorage.getItem("theme") ?? theme;
    density = localStorage.getItem("density") ?? density;
  } catch {
    // a browser that keeps nothing
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme =
    theme === "dark" || (theme !== "light" && dark) ? "dark" : "light";
  document.documentElement.dataset.density = density;
})();
