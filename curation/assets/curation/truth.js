// The form that edits a truth: fields from the tools' parameters, kept in step with the JSON that is sent.
"use strict";

(function () {
  const node = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  let serial = 0; // of fields, for their labels

  function toggle(form) {
    form.hidden = !form.hidden;
    if (form.hidden) return;
    if (!form.dataset.built) build(form);
    form.querySelector("select, input:not([type=hidden]), textarea")?.focus();
  }

  function build(form) {
    form.dataset.built = "yes";
    const data = JSON.parse(form.querySelector("#truth-data").textContent);
    const state = { form, tools: data.tools, calls: data.truth ? structuredClone(data.truth) : [] };
    form.querySelector('[name="text"]').value = data.text;
    const raw = form.querySelector('[name="truth"]');
    raw.addEventListener("input", () => {
      try {
        const given = raw.value.trim() ? JSON.parse(raw.value) : [];
        if (!Array.isArray(given) || !given.every((call) => call && typeof call.name === "string")) return;
        state.calls = given.map((call) => ({ name: call.name, arguments: call.arguments ?? {} }));
        draw(state);
      } catch {
        return; // half-written JSON: the fields stay as they are until it can be read
      }
    });
    write(state);
    draw(state);
  }

  function write(state) {
    state.form.querySelector('[name="truth"]').value = state.calls.length ? JSON.stringify(state.calls, null, 2) : "";
    state.form.querySelector("[data-text]").hidden = state.calls.length > 0;
  }

  function draw(state) {
    const box = state.form.querySelector("[data-calls]");
    box.replaceChildren(...state.calls.map((call, place) => drawCall(state, call, place)));
    const add = node("button", { type: "button", className: "plain small", textContent: state.calls.length ? "Add a call" : "Call a tool" });
    add.addEventListener("click", () => change(state, () => state.calls.push({ name: state.tools[0]?.name ?? "", arguments: {} })));
    box.append(add);
    state.form.querySelector("[data-text]").hidden = state.calls.length > 0;
  }

  function change(state, how) {
    how();
    write(state);
    draw(state);
  }

  function drawCall(state, call, place) {
    const names = [...new Set([...state.tools.map((tool) => tool.name), call.name])];
    const choose = node("select", {}, ...names.map((name) => new Option(name, name, false, name === call.name)));
    choose.setAttribute("aria-label", `Tool of call ${place + 1}`);
    choose.addEventListener("change", () => change(state, () => (call.name = choose.value)));
    const remove = node("button", { type: "button", className: "quiet", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove call ${place + 1}`);
    remove.addEventListener("click", () => change(state, () => state.calls.splice(place, 1)));
    const known = state.tools.find((tool) => tool.name === call.name)?.parameters ?? [];
    const strange = Object.keys(call.arguments).filter((name) => !known.some((parameter) => parameter.name === name));
    const fields = [
      ...known.map((parameter) => drawParameter(state, call, parameter)),
      ...strange.map((name) => drawParameter(state, call, { name, kind: "json", about: "not a parameter of this tool", strange: true })),
    ];
    const legend = node("legend", { textContent: `Call ${place + 1}` });
    return node("fieldset", {}, legend, node("div", { className: "row between" }, choose, remove), ...fields);
  }

  function drawParameter(state, call, parameter) {
    const given = parameter.name in call.arguments;
    const id = `truth-field-${++serial}`;
    const label = node("label", { htmlFor: id, textContent: parameter.name });
    if (parameter.required) label.append(node("abbr", { title: "required", textContent: "*" }));
    const control = drawControl(parameter, call.arguments[parameter.name], given);
    control.id = id;
    const problem = node("span", { className: "error" });
    const changed = () => {
      const [ok, value] = read(parameter, control);
      problem.textContent = ok ? "" : "This is no JSON value.";
      if (!ok) return;
      if (value === undefined) delete call.arguments[parameter.name];
      else call.arguments[parameter.name] = value;
      write(state);
    };
    control.addEventListener("input", changed);
    control.addEventListener("change", changed);
    const hint = [parameter.about, parameter.default && `left out: ${parameter.default}`].filter(Boolean).join(" · ");
    return node("div", { className: "parameter" }, label, control, node("span", { className: "hint", textContent: hint }), problem);
  }

  function drawControl(parameter, value, given) {
    if (parameter.choices || parameter.kind === "boolean") {
      const choices = parameter.choices ?? [true, false];
      const texts = choices.map((choice) => JSON.stringify(choice));
      if (given && !texts.includes(JSON.stringify(value))) texts.unshift(JSON.stringify(value));
      const options = texts.map((text) => new Option(text, text, false, given && text === JSON.stringify(value)));
      return node("select", {}, new Option("(left out)", "", false, !given), ...options);
    }
    if (parameter.kind === "text" && (!given || typeof value === "string")) {
      const field = node("input", { type: "text", value: given ? value : "", placeholder: given ? "" : "(left out)" });
      field.dataset.plain = "yes";
      return field;
    }
    return node("input", { type: "text", className: "mono", value: given ? JSON.stringify(value) : "", placeholder: "(left out)", spellcheck: false });
  }

  // [whether it can be read, the value; undefined: the parameter is left out]. An emptied text of a required parameter is "".
  function read(parameter, control) {
    if (control.dataset.plain) return [true, control.value === "" && !parameter.required ? undefined : control.value];
    if (control.value.trim() === "") return [true, undefined];
    try {
      return [true, JSON.parse(control.value)];
    } catch {
      return parameter.strange ? [true, control.value] : [false];
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-edit], [data-edit-cancel]")) toggle(document.getElementById("fix"));
  });
})();
