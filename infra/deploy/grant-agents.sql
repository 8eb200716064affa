-- The database login of the agents, for psql: claims runs, stores results, and reads or changes nothing else.
-- May run again at any time; the password is the one of the last run.
-- One login for all agents, and the database does not tell them apart: whoever has its password can claim, change and
-- delete the runs of every agent, register or change any agent, and store results under any agent's name. It reads no
-- tasks and no results. Hand it out only where you would trust every agent alike.
\getenv agent_password AGENT_DATABASE_PASSWORD

select 'create role probe_agent login' where not exists (select from pg_roles where rolname = 'probe_agent') \gexec

alter role probe_agent password :'agent_password';
-- An agent cuts a connection after five seconds, which does not end what runs on it.
alter role probe_agent set statement_timeout = '4s';
grant select, insert, update on agent, agent_session to probe_agent;
grant select, update, delete on probe_run to probe_agent;
grant insert on probe_result to probe_agent;
