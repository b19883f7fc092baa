// Fetches results. Large rounds are counted first: the server then names the time of the next try.

const MAX_RETRIES = 60;

export async function fetchResults(client, path) {
  for (let left = MAX_RETRIES; ; left -= 1) {
    try {
      return await client.get(path);
    } catch (problem) {
      if (!left || problem.status !== 503 || !problem.retryAfterS) throw problem;
      await new Promise((go) => setTimeout(go, problem.retryAfterS * 1000));
    }
  }
}
