// What the pages draw of each operation: a description in words and numbers, and its charts, the default first.

import { accessibleTable, drawRows } from "../chart_parts.js";
import { charts as ofAmounts, describe as amounts } from "./amounts.js";
import { drawCloud } from "./cloud.js";
import { charts as ofCount, describe as count } from "./count.js";
import { charts as ofGrid, describe as grid, pictures as gridPictures } from "./grid.js";
import { charts as ofMedian, describe as median, pictures as medianPictures } from "./median.js";
import { charts as ofNumber, describe as number, pictures as numberPictures } from "./number.js";
import { charts as ofPairs, describe as pairs } from "./pairs.js";
import { charts as ofQuartiles, describe as quartiles } from "./quartiles.js";
import { charts as ofRank, describe as rank } from "./rank.js";
import { charts as ofScore, describe as score, pictures as scorePictures } from "./score.js";
import { charts as ofVotes, describe as votes } from "./votes.js";
import { charts as ofWords, describe as words } from "./words.js";

/** @import { ChartContext, Children, Description } from "../../shapes.js" */

/** @typedef {(description: Description, result: any, context: ChartContext) => Children} Picture */

/** @type {Record<string, Picture>} */
const PICTURES = {
  bars: (description, _, context) => drawRows(description, context),
  cloud: drawCloud,
  table: (description, _, context) => drawRows(description, context, false),
};

/** @type {Record<string, { charts: string[], describe: (result: any, context: ChartContext) => Description, pictures?: Record<string, Picture> }>} */
export const OPERATIONS = {
  amounts: { charts: ofAmounts, describe: amounts },
  count: { charts: ofCount, describe: count },
  grid: { charts: ofGrid, describe: grid, pictures: gridPictures },
  median: { charts: ofMedian, describe: median, pictures: medianPictures },
  number: { charts: ofNumber, describe: number, pictures: numberPictures },
  pairs: { charts: ofPairs, describe: pairs },
  quartiles: { charts: ofQuartiles, describe: quartiles },
  rank: { charts: ofRank, describe: rank },
  score: { charts: ofScore, describe: score, pictures: scorePictures },
  votes: { charts: ofVotes, describe: votes },
  words: { charts: ofWords, describe: words },
};

/**
 * Draws a result. A chart that its operation does not have gives way to the default: a host may count otherwise than
 * the type declares.
 *
 * @param {any} result
 * @param {ChartContext} context
 * @returns {Children}
 */
export function drawChart(result, context) {
  const { charts, describe, pictures } = OPERATIONS[result.op];
  const chart = charts.includes(context.chart ?? "") ? String(context.chart) : charts[0];
  const draw = pictures?.[chart] ?? PICTURES[chart];
  return draw(describe(result, context), result, context);
}

/**
 * Draws the hidden table of a result.
 *
 * @param {any} result
 * @param {ChartContext} context
 */
export const drawTable = (result, context) => accessibleTable(OPERATIONS[result.op].describe(result, context));
