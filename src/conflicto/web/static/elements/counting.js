// Results of a large round are counted first: the server names the time to ask again, as often as that takes.

const MAX_ASKS = 60;

export async function countedResults(caller, path) {
  for (let left = MAX_ASKS; ; left -= 1) {
    try {
      return await caller.get(path);
    } catch (problem) {
      if (!left || problem.status !== 503 || !problem.retryAfterS) throw problem;
      await new Promise((go) => setTimeout(go, problem.retryAfterS * 1000));
    }
  }
}
