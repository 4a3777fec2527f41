import { mostSimilar } from '../../base/diagnostics/similar.js';

/**
 * The methods of the IANA HTTP Method Registry that a proxied request can have. CONNECT is left out: it has no path, so no
 * rule could speak of it. Methods are case-sensitive (RFC 9110 §9.1).
 */
export const httpMethods: ReadonlySet<string> = new Set(
  (
    'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE ' +
    'MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH ' +
    'UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL'
  ).split(' '),
);

/** A method of a rule; `ANY` stands for every method there is. */
export const anyMethod = 'ANY';

/** What the author most likely meant by a word that is no method. */
export function similarMethod(text: string): string | undefined {
  const upper = text.toUpperCase();
  return upper === anyMethod || httpMethods.has(upper)
    ? upper
    : mostSimilar(text, [...httpMethods, anyMethod]);
}
