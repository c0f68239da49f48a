/**
 * Whether to write colour to a stream. FORCE_COLOR wins over NO_COLOR (no-color.org: any value but the empty one),
 * then `TERM=dumb`, then whether it is a terminal at all.
 */
export function colorEnabled(stream: { readonly isTTY?: boolean | undefined }, env: NodeJS.ProcessEnv): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if (env["NO_COLOR"]) return false;
  return env["TERM"] !== "dumb" && stream.isTTY === true;
}
