import { expect, test } from "vitest";
import { MODELS } from "../../../scripts/chaos/models.mjs";
import { describeHit, planRun, type Plan } from "../../../scripts/chaos/plan.mjs";
import names from "../../../scripts/chaos/failpoints.json" with { type: "json" };

const plans = Array.from({ length: 400 }, (_, index) => planRun(7, index, MODELS));
const hits = plans.flatMap((plan) => plan.hits);

function kills({ hits: planned }: Plan): number {
  return planned.filter(({ action }) => action === "kill").length;
}

test("a seed and a number give the same plan again, and others another one", () => {
  expect(planRun(7, 3, MODELS)).toEqual(plans[3]);
  expect(planRun(8, 3, MODELS)).not.toEqual(plans[3]);
  expect(new Set(plans.map((plan) => JSON.stringify({ ...plan, index: 0 }))).size).toBe(plans.length);
});

test("few kills left cut a plan short and change nothing before", () => {
  const whole = planRun(7, 5, MODELS);
  const cut = planRun(7, 5, MODELS, 2);
  expect(kills(cut)).toBe(2);
  expect(whole.hits.slice(0, cut.hits.length)).toEqual(cut.hits);
});

test("every model, victim, moment and failpoint has its turn", () => {
  expect(new Set(plans.map(({ model }) => model))).toEqual(new Set(Object.keys(MODELS)));
  const victims = hits.filter(({ action }) => action === "kill").map((hit) => hit.victims.join("+"));
  const all = ["controller", "worker", "guard", "worker+controller", "guard+controller", "guard+worker"];
  expect(new Set(victims)).toEqual(new Set([...all, "guard+worker+controller"]));
  expect(new Set(hits.map(({ when }) => when.at))).toEqual(new Set(["start", "update", "failpoint"]));
  expect(new Set(hits.filter(({ action }) => action === "stop").flatMap((hit) => hit.victims))).toEqual(
    new Set(["worker", "controller"]),
  );
  const hitPlaces = new Set(hits.flatMap(({ when }) => when.name ?? []));
  expect(hitPlaces).toEqual(new Set([...Object.keys(names.controller), ...Object.keys(names.worker)]));
});

test("whoever dies at a failpoint is one of the victims, and the place is its own", () => {
  for (const { victims, when } of hits.filter((hit) => hit.when.at === "failpoint")) {
    expect(victims).toContain(when.by);
    expect(Object.keys(names[when.by!])).toContain(when.name);
  }
});

test("a hit is told in words", () => {
  expect(
    describeHit({
      action: "kill",
      victims: ["guard", "worker"],
      when: { at: "failpoint", by: "worker", name: "storage.sync", passage: 3 },
    }),
  ).toBe("kill guard and worker at storage.sync, passage 3");
  expect(
    describeHit({
      action: "stop",
      victims: ["controller"],
      seconds: 1.23,
      when: { at: "update", update: 4, milliseconds: 9 },
    }),
  ).toBe("stop controller for 1.2 s 9 ms after update 4");
});
