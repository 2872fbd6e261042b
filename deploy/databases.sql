-- Run once, as a PostgreSQL superuser: psql -f deploy/databases.sql. MLflow and Prefect make their own tables.
CREATE DATABASE mlflow;
CREATE DATABASE mlflow_auth;
CREATE DATABASE prefect;
