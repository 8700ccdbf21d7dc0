function setTheme(dark) {
  root.classList.toggle("dark", dark);
  for (const redraw of redraws) redraw();
}
document.getElementById("theme").addEventListener("click", () => setTheme(!root.classList.contains("dark")));
const preference = matchMedia("(prefers-color-scheme: dark)");
preference.addEventListener("change", () => setTheme(preference.matches));
root.classList.toggle("dark", preference.matches);

headline();
table();
curves();
maps();
perClass();
examples();
matrices();
recipes();
