// What is done to which run: drawn from the seed alone, before anything is started.
import { readFileSync } from "node:fs";
import { drawByWeight, drawWhole, randomFrom } from "./random.mjs";

const FAILPOINTS = JSON.parse(readFileSync(new URL("failpoints.json", import.meta.url), "utf8"));

/** Who is killed at once, and how often; the guard is the process that ends the worker of a dead controller. */
const VICTIMS = {
  controller: 24,
  worker: 24,
  guard: 6,
  "worker+controller": 14,
  "guard+controller": 12,
  "guard+worker": 8,
  "guard+worker+controller": 12,
};

/** When: in the middle of a start (after a kill: of the recovery), at an update, at a place with a name. */
const MOMENTS = { start: 3, update: 3, failpoint: 4 };

/** Kills of one run, fewest and most: enough to be killed in recovery, and few enough to tell which kill it was. */
const KILLS_OF_A_RUN = [3, 6];
/** How often a kill comes after a stop (SIGSTOP, SIGCONT) of worker or controller. */
const SHARE_OF_STOPS = 0.15;

/**
 * Plans number `index` of a seed: `{ index, model, hits }`, where `models` are the models to choose from, each with
 * `updates` and `share`. Without `killsLeft` as many kills as the plan likes. A hit is
 * `{ action: "kill" | "stop", victims, when, seconds? }`.
 */
export function planRun(seed, index, models, killsLeft = Infinity) {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const shares = Object.fromEntries(Object.entries(models).map(([name, { share }]) => [name, share]));
  const model = drawByWeight(random, shares);
  const kills = drawWhole(random, ...KILLS_OF_A_RUN);
  const hits = [];
  for (let kill = 0; kill < kills; kill += 1) {
    if (random() < SHARE_OF_STOPS) hits.push(drawStop(random, models[model]));
    hits.push(drawKill(random, models[model]));
  }
  return { index, model, hits: withKills(hits, killsLeft) };
}

/** The beginning of `hits` that has at most so many kills. */
function withKills(hits, most) {
  let kills = 0;
  return hits.filter(({ action }) => {
    if (kills === most) return false;
    if (action === "kill") kills += 1;
    return true;
  });
}

function drawKill(random, model) {
  const victims = drawByWeight(random, VICTIMS).split("+");
  const moment = drawByWeight(random, MOMENTS);
  const language = drawLanguage(random, victims);
  if (moment === "failpoint" && language !== null) {
    return { action: "kill", victims, when: drawFailpoint(random, model, language) };
  }
  return { action: "kill", victims, when: drawTime(random, model, moment === "start" ? "start" : "update") };
}

function drawStop(random, model) {
  const victims = [random() < 0.5 ? "worker" : "controller"];
  const seconds = 0.2 + 1.8 * random();
  return { action: "stop", victims, when: drawTime(random, model, "update"), seconds };
}

/** Whose failpoint ends these: that of one of them; null where none has any. */
function drawLanguage(random, victims) {
  const able = victims.filter((victim) => victim in FAILPOINTS);
  return able.length === 0 ? null : able[Math.floor(random() * able.length)];
}

function drawFailpoint(random, model, language) {
  const names = Object.keys(FAILPOINTS[language]).filter((name) => (model.passages[name] ?? 1) > 0);
  const name = names[Math.floor(random() * names.length)];
  const most = model.passages[name] ?? 1;
  // Early ones more often: a run that goes on from a checkpoint passes fewer.
  return { at: "failpoint", by: language, name, passage: 1 + Math.floor(random() ** 2 * most) };
}

/** A start by its share, since it takes as long as the machine takes; what comes after an update by milliseconds. */
function drawTime(random, { updates }, at) {
  return at === "start"
    ? { at, share: round(1.1 * random()) }
    : { at, update: drawWhole(random, 1, updates), milliseconds: Math.round(250 * random()) };
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}

/** One hit in words. */
export function describeHit({ action, victims, when, seconds }) {
  const who = victims.join(" and ");
  const what = action === "kill" ? `kill ${who}` : `stop ${who} for ${seconds.toFixed(1)} s`;
  switch (when.at) {
    case "failpoint":
      return `${what} at ${when.name}, passage ${when.passage}`;
    case "start":
      return `${what} at ${Math.round(100 * when.share)} % of a start`;
    default:
      return `${what} ${when.milliseconds} ms after update ${when.update}`;
  }
}
