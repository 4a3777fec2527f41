/**
 * Whoever asks for a key while an answer for it is under way, or `forMs` after it came, gets that answer. What is said beside
 * the key counts only from who is the first to ask.
 */
export function shared<Key, More extends readonly unknown[], Answer>(
  ask: (key: Key, ...more: More) => Promise<Answer>,
  forMs = 0,
): (key: Key, ...more: More) => Promise<Answer> {
  const underWay = new Map<Key, Promise<Answer>>();
  return (key, ...more) => {
    const already = underWay.get(key);
    if (already) return already;
    const answer = ask(key, ...more);
    underWay.set(key, answer);
    const forget = () => underWay.delete(key);
    answer.then(() => (forMs === 0 ? forget() : setTimeout(forget, forMs).unref()), forget);
    return answer;
  };
}
