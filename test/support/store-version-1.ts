// A database as version 1 of the schema left it, statement by statement, in the store's own SQL. Never changed: databases like
// this one are out there.

export const versionOneSchema: readonly string[] = [
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
];

export const versionOne: readonly string[] = [
  'create table migrations (version integer primary key, applied_at text not null) strict',
  ...versionOneSchema,
  "insert into migrations (version, applied_at) values (1, '2026-11-20T00:00:00.000Z')",
  "insert into meta (key, value) values ('epoch', 'e1'), ('trust-domain', 'shop.example'), ('bundle-hash', 'a')",
  "update counters set value = 2 where name = 'position'",
  "update counters set value = 7 where name = 'bundle'",
  "insert into events (position, kind, object_id) values (1, 'entry', 'web'), (2, 'agent', 'spiffe://shop.example/spire/agent/join_token/t')",
  `insert into entries values ('web', 'spiffe://shop.example/web', 'spiffe://shop.example/node/demo', '["unix:uid:1"]',
     60, 0, '["web"]', '[]', 1, 0, 'h', 0, 5, 1)`,
  `insert into agents values ('spiffe://shop.example/spire/agent/join_token/t', 'join_token', '[]', 0, 1, 's', 9, '', 0, '1.0')`,
  "insert into join_tokens values ('h', 1700000060000, '', '')",
];
