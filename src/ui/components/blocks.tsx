import type { ReactElement } from "react";
import { selectBlocks, selectNextRelease, type BlockView } from "../../reading/selectors.js";
import type { State } from "../../core/state.js";
import { formatInteger, formatMoved, formatMovedShare } from "../../words/format.js";
import { singleLine } from "../../printable.js";
import { freezesBlocks } from "../../words/interventions.js";
import type { Segment } from "../../words/role.js";
import { Line, Rows, say, Title, useTheme } from "./line.js";

interface BlocksProps {
  readonly state: State;
  readonly rows: number;
  readonly columns: number;
}

const SIZE_COLUMNS = 12;

/** One row a block, the head first: live or frozen, since when or until when. */
export function BlockPanel({ state, rows, columns }: BlocksProps): ReactElement {
  const { glyphs } = useTheme();
  const blocks = selectBlocks(state);
  const live = blocks.filter((block) => block.live).length;
  const shown = windowAround(
    blocks,
    blocks.findIndex((block) => !block.live),
    rows - 1,
  );
  const nameColumns = Math.min(18, Math.max(4, ...shown.map(({ name }) => name.length)));
  const next = state.end === null ? selectNextRelease(state)?.block : undefined;
  const words = new Map(shown.map((block) => [block.name, describeBlock(block, state, block.name === next)]));
  const widest = Math.max(0, ...[...words.values()].map(({ length }) => length));
  // How far a block has moved is news, how large it is is none.
  const showsSizes = state.progress.moved === null || 3 + nameColumns + SIZE_COLUMNS + 2 + widest <= columns;
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text="blocks"
          note={blocks.length === 0 ? "" : `${live} of ${blocks.length} train`}
          columns={columns}
        />,
        ...shown.map((block) => (
          <Line
            key={block.name}
            segments={[
              say(` ${block.live ? glyphs.live : glyphs.frozen} `, block.live ? "live" : "frozen"),
              say(singleLine(block.name).slice(0, nameColumns).padEnd(nameColumns), block.live ? "plain" : "dim"),
              say(showsSizes ? formatInteger(block.numParams).padStart(SIZE_COLUMNS) : "", "dim"),
              say(`  ${words.get(block.name) ?? ""}`, block.live ? "plain" : "dim"),
            ]}
          />
        )),
      ]}
    </Rows>
  );
}

/** Where not all fit: the ones around the first frozen block. */
function windowAround(blocks: readonly BlockView[], firstFrozen: number, rows: number): readonly BlockView[] {
  const focus = firstFrozen === -1 ? blocks.length : firstFrozen;
  const start = Math.max(0, Math.min(focus - (rows >> 1), blocks.length - rows));
  return blocks.slice(start, start + rows);
}

/** A frozen block that stands where it began needs no word about it. */
function describeBlock(block: BlockView, state: State, isNext: boolean): string {
  const { live, moved } = block;
  const distance = moved === null || (!live && moved === 0) ? "" : formatMoved(moved);
  const release = `${describeRelease(block, state)}${isNext ? ", next" : ""}`;
  return [release, distance].filter((words) => words !== "").join(", ");
}

function describeRelease({ live, release, warmup, head }: BlockView, state: State): string {
  const { interval, end } = state;
  if (release === 0) return "from the start";
  if (live) {
    const rising = end === null ? "warming up" : "warmed up only";
    const ramp = warmup === null ? "" : `, ${rising} ${warmup.made}/${warmup.of}`;
    return release === null ? "" : `since update ${release}${ramp}`;
  }
  if (end !== null) return "stayed frozen";
  if (release !== null) return `before update ${release}`;
  if (head || !freezesBlocks(state)) return "";
  return interval === null ? "once k is known" : "";
}

const LABEL_COLUMNS = 10;

/**
 * The same in one row; a state of each block and, where they fit, their names, with how far each that trains has moved or,
 * until that is known, the update of its release.
 */
export function BlockLine({ state, columns }: Omit<BlocksProps, "rows">): ReactElement {
  const { glyphs } = useTheme();
  const blocks = selectBlocks(state);
  const mark = ({ live }: BlockView): Segment => say(live ? glyphs.live : glyphs.frozen, live ? "live" : "frozen");
  const named = blocks.map((block) => {
    const update = block.release === null || block.release === 0 ? "" : ` ${block.release}`;
    const moved = block.live && block.moved !== null ? ` ${formatMovedShare(block.moved)}` : null;
    const { warmup } = block;
    const ramp = warmup === null ? "" : ` (${warmup.made}/${warmup.of})`;
    return [mark(block), say(` ${singleLine(block.name)}${moved ?? update}${ramp}`, block.live ? "plain" : "dim")];
  });
  const room = columns - LABEL_COLUMNS - named.flat().reduce((sum, { text }) => sum + text.length, 0);
  const gap = " ".repeat(Math.max(0, Math.min(3, Math.floor(room / Math.max(1, named.length)))));
  const next = selectNextRelease(state);
  const live = blocks.filter((block) => block.live).length;
  const coming = next === null || state.end !== null ? [] : [`${singleLine(next.block)} before update ${next.update}`];
  // Without names, how far those that train have moved still fits mostly; in order of the blocks, the head first.
  const distances = blocks.map(({ live: trains, moved }) =>
    trains && moved !== null ? say(` ${formatMovedShare(moved)} `) : say(""),
  );
  const marks = blocks.flatMap((block, index) => [mark(block), distances[index]!]);
  const count = distances.some(({ text }) => text !== "") ? [] : [`${live} of ${blocks.length} train`];
  const short = [...marks, say(`  ${[...count, ...coming].join("; ")}`)];
  const all = gap === "" ? short : named.flatMap((segments) => [...segments, say(gap)]);
  return <Line segments={[say("blocks".padEnd(LABEL_COLUMNS), "title"), ...all]} />;
}
