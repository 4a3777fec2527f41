/**
 * How many steps an enumeration may take. Past it the answer is "incomplete", never a guess: whoever spends checks `spent`
 * and stops.
 */
export interface Budget {
  left: number;
}

/** Takes one step; false when there is none left. */
export function spend(budget: Budget): boolean {
  budget.left--;
  return budget.left >= 0;
}
