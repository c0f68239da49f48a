import { isFinite } from "../../core/detector/signal.js";
import { singleLine } from "../../printable.js";
import { namedScores } from "../../reading/named-scores.js";
import { messageOf } from "../../reading/results.js";
import {
  formatAccuracy,
  formatCost,
  formatCount,
  formatDuration,
  formatInteger,
  formatNumber,
  formatShare,
} from "../../words/format.js";
import { headlineOf } from "../../words/headline.js";
import { interventionWords } from "../../words/interventions.js";
import { describeOrigin, describeSource } from "../../words/names.js";
import type { RunFacts } from "../facts/run-facts.js";
import { markup, NOTHING, type Html } from "./html.js";

/** What the page is opened for: what was decided, when and by what numbers, and what it came to. */
export function answerOf(run: RunFacts): Html {
  const { state } = run;
  const decided = run.log.findLast(({ kind, text }) => kind === "decision" && text.startsWith("k = "));
  const headline = headlineOf(state);
  const end = state.end === null ? null : messageOf(state.end);
  const when = decided?.update == null ? "" : `, decided before update ${decided.update}`;
  const decision =
    decided === undefined ? `k: ${interventionWords(state).withoutK}` : `${singleLine(decided.text)}${when}`;
  const scores = scoreWords(run);
  const going = state.end === null ? headline.text : "";
  return markup`<p class="answer">
      <b>${decision}.</b>
      ${scores.length === 0 ? NOTHING : `${scores.join(", ")}. `}${end === null ? NOTHING : `${singleLine(end)}. `}${going === "" ? NOTHING : `${going}. `}
    </p>
    ${cardsOf(run)}${notesOf(run.notes.concat(marksOf(run)))}`;
}

function scoreWords({ results }: RunFacts): string[] {
  const { in_dist: clean, ood, scores, best } = results;
  const words: string[] = [];
  const accuracy = clean?.["accuracy"];
  if (accuracy !== undefined) words.push(`${formatAccuracy(accuracy)} on the clean test set`);
  if (ood !== null) {
    const count =
      Object.keys(ood.per_corruption).length -
      Object.keys(ood.left_out).filter((name) => name in ood.per_corruption).length;
    const origin = describeOrigin({ regenerated: ood.regenerated, fromJpeg: results.images_from_jpeg }, ", ");
    words.push(
      `${formatAccuracy(ood.mean)} out of distribution (mean of ${formatCount(count, "corruption")}${origin})`,
    );
  }
  for (const [testSet, { cross_lingual: mean }] of Object.entries(scores ?? {})) {
    const [name, value] = Object.entries(mean ?? {})[0] ?? [];
    if (name !== undefined && value !== undefined)
      words.push(`${name} ${formatAccuracy(value)} on ${singleLine(testSet)} without English`);
  }
  const [development, value] = Object.entries(best?.development ?? {})[0] ?? [];
  if (development !== undefined && value !== undefined)
    words.push(`best ${development} on the development set ${formatAccuracy(value)}`);
  return words;
}

function cardsOf({ state, results, began, lastHeard }: RunFacts): Html {
  const { k, in_dist: clean, ood, train_seconds: train, probe_seconds: probe } = results;
  const cards: [string, string, string][] = [];
  if (k !== null)
    cards.push([
      "k",
      String(k.value),
      `${describeSource(k.source)}${k.k_offline === null ? "" : `; offline ${k.k_offline}`}`,
    ]);
  const named = namedScores(results);
  const accuracy = named["in_dist/accuracy"];
  if (accuracy !== undefined)
    cards.push(["clean test set", formatAccuracy(accuracy), `${formatInteger(clean?.num_examples ?? 0)} examples`]);
  if (ood !== null)
    cards.push([
      "out of distribution",
      formatAccuracy(ood.mean),
      `${formatInteger(ood.images_per_corruption)} images of each corruption`,
    ]);
  for (const [name, value] of Object.entries(named)) {
    if (name.includes("/x-ling/"))
      cards.push([name.replace("/x-ling/", " X-ling "), formatAccuracy(value), "mean without English"]);
  }
  for (const [name, { last, points }] of Object.entries(results.recorded).slice(0, 3)) {
    if (isFinite(last.value))
      cards.push([singleLine(name), formatNumber(last.value, 4), `the last of ${formatCount(points, "value")}`]);
  }
  const of = state.model?.numUpdates ?? null;
  cards.push(["updates", formatInteger(results.updates), of === null ? "no known end" : `of ${formatInteger(of)}`]);
  const share = train > 0 ? `measuring took ${formatShare(probe / train)} of it` : "";
  cards.push(["training time", formatCost(train), share]);
  const wall = (Date.parse(lastHeard) - Date.parse(began)) / 1000;
  cards.push([
    "wall time",
    formatDuration(results.wall_seconds),
    wall > 2 * results.wall_seconds + 60
      ? `over ${formatDuration(wall)}, with interruptions`
      : "with loading and evaluation",
  ]);
  return markup`<dl class="cards">
    ${cards.map(
      ([label, value, small]) =>
        markup`<div>
          <dt>${label}</dt>
          <dd>${value}${small === "" ? NOTHING : markup`<small>${small}</small>`}</dd>
        </div> `,
    )}
  </dl> `;
}

/** What a number of this run must not be read without. */
function marksOf({ results, state }: RunFacts): string[] {
  const marks: string[] = [];
  if (results.k?.source === "cap") marks.push("k was set by its cap k_max: the signal had not stabilized by then");
  if (results.ood?.regenerated === true)
    marks.push(
      "the corrupted images were regenerated here: their scores are not comparable with those on the published files",
    );
  if (results.images_from_jpeg)
    marks.push("the test images come from JPEG copies: their scores are not those of the benchmark");
  for (const [name, why] of Object.entries(results.ood?.left_out ?? {}))
    marks.push(`${singleLine(name)} is not in the mean: ${singleLine(why)}`);
  for (const why of results.bit_identical.dropped_because)
    marks.push(`bit-identity is not promised: ${singleLine(why)}`);
  if (results.left_frozen.length > 0 && state.end?.outcome === "finished")
    marks.push(`frozen to the end: ${results.left_frozen.map(singleLine).join(", ")}`);
  return marks;
}

export function notesOf(notes: readonly string[]): Html {
  if (notes.length === 0) return NOTHING;
  return markup`<div class="notes" role="note">
    <ul>
      ${notes.map((note) => markup`<li>${note}</li>`)}
    </ul>
  </div> `;
}
