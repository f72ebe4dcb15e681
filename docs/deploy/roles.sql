-- The two roles and the database. Once, as the server's superuser, with the passwords in the environment:
--   OWNER_PASSWORD=… WEB_PASSWORD=… runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -f roles.sql
\getenv owner_password OWNER_PASSWORD
\getenv web_password WEB_PASSWORD
SET log_statement = 'none';  -- the passwords shall not stand in the server's log
SET log_min_error_statement = 'panic';

-- Owns the tables: migrations and backups. No superuser: the extensions are ones that a database's owner may create.
CREATE ROLE storefront_owner LOGIN PASSWORD :'owner_password' CONNECTION LIMIT 10;
-- Web and worker: owns nothing. Its rights are given by each `migrate`. A web process holds at most 11 connections,
-- a worker 16; there are two web processes.
CREATE ROLE storefront_web LOGIN PASSWORD :'web_password' CONNECTION LIMIT 60;
-- Whoever waits longer has lost; exports raise the limits for their own transaction.
ALTER ROLE storefront_web SET statement_timeout = '30s';
ALTER ROLE storefront_web SET lock_timeout = '5s';
ALTER ROLE storefront_web SET idle_in_transaction_session_timeout = '60s';

-- C.UTF-8 sorts by code point, whatever the machine's libraries say after an upgrade; the shop's own columns know
-- Indonesian. Days are reckoned in Asia/Jakarta by the code, so the server may speak UTC.
CREATE DATABASE storefront OWNER storefront_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
ALTER DATABASE storefront SET timezone = 'UTC';
ALTER DATABASE storefront SET datestyle = 'ISO, DMY';
REVOKE ALL ON DATABASE storefront FROM PUBLIC;
GRANT CONNECT ON DATABASE storefront TO storefront_web;
