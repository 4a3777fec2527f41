import { wholeNumberOf } from './whole-number.js';

/** The value of an option that counts seconds. */
export const wholeSeconds = wholeNumberOf('a whole number of seconds');
