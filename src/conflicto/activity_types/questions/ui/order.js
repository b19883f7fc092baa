// Questions, those with most support on top; the older first where they are equal.

export function ordered(responses, results) {
  const votes = new Map((results?.support?.targets ?? []).map(({ target, up, down }) => [target, up - down]));
  return (responses ?? [])
    .filter((each) => each.response_data?.text)
    .map(({ id, created_at: at, response_data: { text } }) => ({ id, at, text, votes: votes.get(id) ?? 0 }))
    .sort((a, b) => b.votes - a.votes || (a.at < b.at ? -1 : 1));
}
