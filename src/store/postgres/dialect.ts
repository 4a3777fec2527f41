/**
 * The store's SQL as PostgreSQL takes it: `$1`, `$2` … for the `?`, and in the steps of the schema the types that hold and
 * compare what SQLite's do: whole numbers of 64 bits, texts byte by byte. Translated once for each text.
 */
export function forPostgres(sql: string): string {
  let translated = known.get(sql);
  if (translated === undefined) {
    translated = isDefinition.test(sql) ? definition(sql) : numbered(sql);
    known.set(sql, translated);
  }
  return translated;
}

const known = new Map<string, string>();

/** The store's SQL has no `?` in a text (the bind guard counts on it too). */
function numbered(sql: string): string {
  let last = 0;
  return sql.replace(/\?/g, () => `$${++last}`);
}

const isDefinition = /^\s*(?:create|alter) table\b/i;

function definition(sql: string): string {
  return sql
    .replace(/\binteger\b/gi, 'bigint')
    .replace(/\btext\b/gi, 'text collate "C"')
    .replace(/\)\s*strict\s*$/i, ')');
}
