-- Pages kept in processes are made anew: once in a transaction, however many products it changes.
CREATE FUNCTION raise_catalogue_version() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalogue_version SET version = version + 1, raised_by = pg_current_xact_id()
     WHERE raised_by IS DISTINCT FROM pg_current_xact_id();
    PERFORM pg_notify('catalogue', '');
END $$;
