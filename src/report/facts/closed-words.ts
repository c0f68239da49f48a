import type { EventOf } from "../../core/events.js";

/** How an attempt ended by its own word. */
export function closedWords(body: EventOf<"worker/closed">["body"]): string {
  switch (body.outcome) {
    case "finished":
      return `finished after update ${body.step}`;
    case "stopped":
      return `stopped after update ${body.step}`;
    case "failed":
      return `failed after update ${body.step}: ${body.message}`;
  }
}
