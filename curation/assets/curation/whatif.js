// What if: a slider says where it stands while it is dragged; the numbers follow by htmx.
"use strict";

document.addEventListener("input", (event) => {
  const slider = event.target.closest(".slider");
  if (slider) slider.querySelector("output").textContent = event.target.value;
});
