/**
 * The schema, as the steps that lead to it: step N takes a database from version N to N + 1 and is never changed once
 * released. Keys compare byte by byte.
 */
export const schema: readonly (readonly string[])[] = [
  [
    'create table meta (key text primary key, value text not null) strict',
    `create table counters (name text primary key, value integer not null) strict`,
    `insert into counters (name, value) values ('position', 0), ('bundle', 0)`,
    // What changed, in order, for those who follow: each position is given out once and committed in order.
    'create table events (position integer primary key, kind text not null, object_id text not null) strict',
    `create table entries (
       id text primary key,
       spiffe_id text not null,
       parent_id text not null,
       selectors text not null,
       x509_svid_ttl integer not null,
       jwt_svid_ttl integer not null,
       dns_names text not null,
       federates_with text not null,
       admin integer not null,
       downstream integer not null,
       hint text not null,
       expires_at integer not null,
       created_at integer not null,
       revision integer not null,
       unique (spiffe_id, parent_id, selectors)
     ) strict`,
    `create table agents (
       id text primary key,
       attestation_type text not null,
       selectors text not null,
       can_reattest integer not null,
       banned integer not null,
       serial text not null,
       expires_at integer not null,
       next_serial text not null,
       next_expires_at integer not null,
       version text not null
     ) strict`,
    `create table join_tokens (
       hash text primary key,
       expires_at integer not null,
       alias_id text not null,
       issued_serial text not null
     ) strict`,
    'create index join_tokens_by_serial on join_tokens (issued_serial)',
  ],
  ['create table federated_bundles (trust_domain text primary key, content text not null) strict'],
  [
    'alter table entries add column store_svid integer not null default 0',
    'alter table entries add column disable_x509_svid_prefetch integer not null default 0',
    'alter table entries add column jwt_svid_include_jti integer not null default 0',
  ],
  ['create table appended_authorities (name text primary key, content text not null) strict'],
];
