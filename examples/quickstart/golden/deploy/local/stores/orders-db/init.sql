-- Run by the image while its server starts for the first time.
\set ON_ERROR_STOP on

\set password `cat /run/secrets/orders-db-password`
CREATE ROLE "orders_db" LOGIN PASSWORD :'password';
CREATE DATABASE "orders_db" OWNER "orders_db";
REVOKE ALL ON DATABASE "orders_db" FROM PUBLIC;
