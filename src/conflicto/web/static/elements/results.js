// Fetches results. Large rounds are counted first: the server then names the time of the next try.

/** @import { Client, Problem } from "../core/api.js" */
/** @import { ActivityResults } from "../shapes.js" */

const MAX_RETRIES = 60;

/**
 * @param {Client} client
 * @param {string} path
 * @returns {Promise<ActivityResults>}
 */
export async function fetchResults(client, path) {
  for (let left = MAX_RETRIES; ; left -= 1) {
    try {
      return await client.get(path);
    } catch (error) {
      const problem = /** @type {Problem} */ (error);
      if (!left || problem.status !== 503 || !problem.retryAfterS) throw error;
      await new Promise((go) => setTimeout(go, problem.retryAfterS * 1000));
    }
  }
}
