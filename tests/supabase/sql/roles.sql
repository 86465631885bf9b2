-- Roles of the cluster, as a hosted project has them; run once, by the superuser supabase_admin.
-- postgres owns the tables and runs migrations, and is no superuser.
create role postgres        login createdb createrole replication bypassrls;
create role anon            nologin noinherit;
create role authenticated   nologin noinherit;
create role service_role    nologin noinherit bypassrls;
create role authenticator   login noinherit;
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres;

alter role anon          set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
