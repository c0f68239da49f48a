// Mutated frames through both codecs: the same verdict, error code and values, or a line for each that differs.
//
//   npm run fuzz -- --frames 100000 --seed 1
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { decodeMessage, ProtocolError } from "../../dist/protocol/codec.js";
import { PROTOCOL_TAG } from "../../dist/protocol/version.js";
import { projectPython } from "../python.mjs";
import { nextFrame, randomOf } from "./frames.mjs";

const ROOT = new URL("../../", import.meta.url);
/** So many frames at a time are in memory. */
const BATCH = 20_000;
const MOST_SHOWN = 20;

const { values } = parseArgs({
  options: { frames: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const [frames, seed] = [Number(values.frames), Number(values.seed)];
const tag = Buffer.from(PROTOCOL_TAG);
const vectors = new URL("test/vectors/", ROOT);
const golden = readdirSync(vectors)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) => JSON.parse(readFileSync(new URL(name, vectors), "utf8")).valid ?? [])
  .map(({ map }) => Buffer.from(map, "hex"));

/** @returns {Promise<string[]>} a line for each frame */
async function verdictsOfPython(batch) {
  const program = new URL("scripts/fuzz/decode_frames.py", ROOT);
  const child = spawn(projectPython(), [program.pathname], {
    env: { ...process.env, PYTHONPATH: new URL("python", ROOT).pathname },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
  for (const frame of batch) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    child.stdin.write(Buffer.concat([length, frame]));
  }
  child.stdin.end();
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the decoder in Python ended with ${code}`);
  return text.trimEnd().split("\n");
}

function verdictOf(frame) {
  try {
    return { message: decodeMessage([tag, frame]) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { code: error.code };
  }
}

/** Whether both took it for the same message, or refused it for the same reason. */
function agree(ours, theirs) {
  const [verdict, content = ""] = theirs.split(" ");
  if (verdict === "no") return ours.code === content;
  const again = verdictOf(Buffer.from(content, "hex"));
  return "message" in ours && "message" in again && isDeepStrictEqual(ours.message, again.message);
}

const random = randomOf(seed);
let [taken, refused, differing] = [0, 0, 0];
for (let done = 0; done < frames; done += BATCH) {
  const batch = Array.from({ length: Math.min(BATCH, frames - done) }, () => nextFrame(golden, random));
  const theirs = await verdictsOfPython(batch);
  for (const [index, frame] of batch.entries()) {
    const ours = verdictOf(frame);
    if ("message" in ours) taken += 1;
    else refused += 1;
    if (agree(ours, theirs[index])) continue;
    differing += 1;
    if (differing <= MOST_SHOWN)
      console.log(`${frame.toString("hex")}: ${ours.code ?? "taken"}, Python ${theirs[index].slice(0, 60)}`);
  }
}
console.log(`${frames} frames of seed ${seed}: ${taken} taken, ${refused} refused, ${differing} differ`);
process.exitCode = differing === 0 ? 0 : 1;
