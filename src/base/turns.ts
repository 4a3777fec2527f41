/** Does one piece of work after the other, in the order in which they were asked for; each has its own outcome. */
export function takingTurns(): <Value>(work: () => Promise<Value>) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work, work);
    last = done;
    return done;
  };
}
