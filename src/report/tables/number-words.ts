import type { Interval } from "../../statistics/intervals.js";
import type { Column, Unit } from "./table.js";

/** What each unit is shown with unless told otherwise; the paper gives per cent with two. */
const DECIMALS: Readonly<Record<Unit, number>> = { share: 2, updates: 0, count: 0, number: 4 };

/** Decimals of a column; `digits` is for shares, whose digits are a matter of taste. */
export function decimalsOf({ unit }: Pick<Column, "unit">, digits?: number): number {
  return unit === "share" ? (digits ?? DECIMALS.share) : DECIMALS[unit];
}

/** As it is shown: shares in per cent. */
export function inUnit(value: number, unit: Unit): number {
  return unit === "share" ? value * 100 : value;
}

export function fixed(value: number, { unit }: Pick<Column, "unit">, decimals: number): string {
  const text = inUnit(value, unit).toFixed(decimals);
  // -0.00 is no number that anybody means.
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** With its sign, for differences. */
export function signed(value: number, column: Pick<Column, "unit">, decimals: number): string {
  const text = fixed(value, column, decimals);
  return text.startsWith("-") || Number(text) === 0 ? text : `+${text}`;
}

/** The bounds of an interval; of differences with their signs. */
export function bounds(
  { lower, upper }: Interval,
  column: Pick<Column, "unit">,
  decimals: number,
  withSign: boolean,
): [lower: string, upper: string] {
  const words = withSign ? signed : fixed;
  return [words(lower, column, decimals), words(upper, column, decimals)];
}
