-- One batch, by id: for what was sold before this was kept, where it stands today.
UPDATE order_lines l SET category_id = p.category_id, regional_office = f.regional_office
  FROM products p, facilities f
 WHERE p.id = l.product_id AND f.id = l.facility_id AND l.category_id IS NULL
   AND l.id > %(after)s AND l.id <= %(upto)s
