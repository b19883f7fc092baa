// Whether the cards agree, and if not, how far they are apart in the order of the deck.

import { h } from "../../sdk/v1.js";

export function drawAgreement(view, { values = [] }) {
  const deck = view.config.deck;
  const played = values
    .filter(({ count }) => count > 0)
    .map(({ value }) => value)
    .sort((a, b) => deck.indexOf(a) - deck.indexOf(b));
  if (!played.length) return null;
  const [low, high] = [played[0], played.at(-1)];
  return h(
    "p",
    { class: "strong large" },
    played.length === 1 ? `✓ ${view.t("agreed", { card: low })}` : view.t("apart", { low, high }),
  );
}
