// How text is laid out in docs/configuration.md.
const LINE_WIDTH = 120;

/** One item of a list, its further lines indented. */
export function wrapped(item) {
  const lines = [""];
  for (const word of item.split(" ")) {
    const line = lines.at(-1);
    if (line !== "" && line.length + 1 + word.length > LINE_WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

export const quoted = (words) => words.map((word) => `\`${word}\``).join(", ");
