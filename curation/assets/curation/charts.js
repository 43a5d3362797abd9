// Curves of trainings: <div data-chart="loss" data-source="…/steps/"> holds a uPlot of what the address says, one line per
// iteration, and asks again when the fragment #live of its page was renewed. With data-joined each of several sources is one
// line, its iterations end to end. With data-per values are drawn in units of so much.
"use strict";

(function () {
  const HEIGHT = 220; // pixels, where data-height does not say
  const COLOURS = 6; // --series-1 … --series-6 in runs.css
  const drawn = new Map(); // element → its chart
  const group = uPlot.sync("training");

  const height = (element) => Number(element.dataset.height ?? HEIGHT);
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  async function load(element) {
    const sources = element.dataset.source.split(" ");
    const answers = await Promise.all(sources.map(async (source) => (await fetch(source)).json()));
    if ("joined" in element.dataset) {
      const names = JSON.parse(element.dataset.names);
      return answers.map((answer, place) => joined(answer.curves, names[place], place)).filter((curve) => curve.step.length);
    }
    return answers.flatMap((answer) => answer.curves.map((curve) => ({ ...curve, name: `iteration ${curve.iteration}`, colour: curve.iteration - 1 })));
  }

  function joined(curves, name, colour) {
    const line = { name, colour, step: [], loss: [] };
    let before = 0;
    for (const curve of curves) {
      line.step.push(...curve.step.map((step) => before + step));
      line.loss.push(...curve.loss);
      before += curve.steps;
    }
    return line;
  }

  function table(curves, value, per = 1) {
    const steps = [...new Set(curves.flatMap((curve) => curve.step))].sort((one, other) => one - other);
    const lines = curves.map((curve) => {
      const at = new Map(curve.step.map((step, index) => [step, curve[value][index] == null ? null : curve[value][index] / per]));
      return steps.map((step) => at.get(step)); // undefined: no such point, the line goes on; null: a gap
    });
    return [steps, ...lines];
  }

  const short = (number) => (number == null ? "–" : Math.abs(number) < 0.0001 && number ? number.toExponential(1) : String(Number(number.toPrecision(3))));

  function options(element, curves) {
    const [soft, edge] = [variable("--soft"), variable("--edge")];
    const font = "12px system-ui, sans-serif";
    const axis = { stroke: soft, font, grid: { stroke: edge, width: 1 }, ticks: { show: false } };
    const series = curves.map((curve) => ({
      label: curve.name,
      stroke: variable(`--series-${(curve.colour % COLOURS) + 1}`),
      width: 2,
      points: { show: curve.step.length < 2 },
      value: (_, number) => short(number),
    }));
    return {
      width: element.clientWidth,
      height: height(element),
      cursor: { sync: { key: group.key }, drag: { x: true, y: false } },
      hooks: { setCursor: [(chart) => chart.cursor.idx == null && showLast(chart)] },
      scales: { x: { time: false } },
      axes: [{ ...axis, size: 34 }, { ...axis, size: 62, values: (_, ticks) => ticks.map(short) }],
      series: [{ label: "step", value: (_, step) => (step == null ? "–" : String(step)) }, ...series],
    };
  }

  const showLast = (chart) => chart.setLegend({ idx: chart.data[0].length - 1 }, false); // until somebody points at a step

  async function draw(element) {
    const curves = await load(element);
    const empty = element.nextElementSibling;
    element.hidden = !curves.length;
    if (empty) empty.hidden = curves.length > 0;
    if (!curves.length) return;
    const data = table(curves, element.dataset.chart, Number(element.dataset.per ?? 1));
    const before = drawn.get(element);
    if (before && before.key === shape(curves)) {
      before.chart.setData(data);
      showLast(before.chart);
      return;
    }
    before?.chart.destroy();
    const chart = new uPlot(options(element, curves), data, element);
    showLast(chart);
    drawn.set(element, { chart, key: shape(curves) });
  }

  const shape = (curves) => curves.map((curve) => curve.name).join("\n");

  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) if (target.clientWidth) drawn.get(target)?.chart.setSize({ width: target.clientWidth, height: height(target) });
  });

  function again() {
    for (const [element, { chart }] of drawn) {
      chart.destroy();
      drawn.delete(element);
      draw(element);
    }
  }

  const safely = (element) => draw(element).catch(() => {}); // a server that is away is told of elsewhere; the curve stays

  for (const element of document.querySelectorAll("[data-chart]")) {
    safely(element);
    widths.observe(element);
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "live") document.querySelectorAll("[data-chart]").forEach(safely);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
