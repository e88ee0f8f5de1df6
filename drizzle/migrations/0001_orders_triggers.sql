-- Why: whoever writes an order (the API, psql, a script) must leave it in the same shape.
-- `status` is stored lower-case; an update that changes anything moves `version` by one and
-- `updated_at` to now; an update that changes nothing leaves both, so that it is no change.
-- Written by: every writer of orders, through this trigger. Read by: everyone.
CREATE FUNCTION orders_settle() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.status := lower(NEW.status);
  IF TG_OP = 'UPDATE' THEN
    NEW.version := OLD.version;
    NEW.updated_at := OLD.updated_at;
    IF NEW *<> OLD THEN
      NEW.version := OLD.version + 1;
      NEW.updated_at := now();
    END IF;
  END IF;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER orders_settle BEFORE INSERT OR UPDATE ON orders
  FOR EACH ROW EXECUTE FUNCTION orders_settle();
