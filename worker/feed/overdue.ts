/** An alarm may ring a little late: what is overdue by less is no business of this one. */
export const OVERDUE = `
  SELECT DISTINCT user_id AS id
    FROM (SELECT user_id FROM notifications
           WHERE state = 'scheduled' AND deliver_at < now() - interval '30 seconds'
           ORDER BY deliver_at LIMIT 20000) AS overdue
   LIMIT $1`
