/** Whoever asks for a key while an answer for it is under way, or `forMs` after it came, gets that answer. */
export function shared<Answer>(
  ask: (key: string) => Promise<Answer>,
  forMs = 0,
): (key: string) => Promise<Answer> {
  const underWay = new Map<string, Promise<Answer>>();
  return (key) => {
    const already = underWay.get(key);
    if (already) return already;
    const answer = ask(key);
    underWay.set(key, answer);
    const forget = () => underWay.delete(key);
    answer.then(() => (forMs === 0 ? forget() : setTimeout(forget, forMs).unref()), forget);
    return answer;
  };
}
