// The earlier name of `results.js`, for views that import it.

import { countOf, drawLeaderboard, drawMore, drawResults } from "./results.js";

export { countOf, drawLeaderboard, drawMore, drawResults };
