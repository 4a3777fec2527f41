/** Reads an option that may be given several times. */
export function several(given: string, before: string[] = []): string[] {
  return [...before, given];
}
