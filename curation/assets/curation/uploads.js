// The upload form: refuses a file that is too large before it is sent, and shows how much of it has gone.
"use strict";

(function () {
  const part = (id) => document.getElementById(id);
  const size = (bytes) => (bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(0)} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`);

  function look(input) {
    const file = input.files[0];
    const long = file && file.size > Number(part("upload").dataset.limit);
    input.setCustomValidity(long ? "The file is too large." : "");
    part("file-problem").textContent = long ? `The file has ${size(file.size)}, more than is taken here.` : "";
    const dataset = part("dataset");
    if (file && dataset && !dataset.value) dataset.value = file.name.replace(/\.[a-z]+$/i, "");
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "file") look(event.target);
  });
  if (part("file")) look(part("file")); // a file may have been chosen before this script came

  document.addEventListener("htmx:xhr:progress", (event) => {
    const { loaded, total, lengthComputable } = event.detail;
    const bar = part("sent");
    if (!bar || !lengthComputable || !part("upload").classList.contains("htmx-request")) return;
    bar.hidden = false;
    bar.value = (100 * loaded) / total;
    part("sent-words").textContent = loaded < total ? `${size(loaded)} of ${size(total)} sent` : `All is sent; ${part("upload").dataset.next}`;
  });
})();
