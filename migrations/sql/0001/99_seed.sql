-- What every shop starts with; all of it is data and may be edited later.
INSERT INTO funds (code, name, name_en, finance_name, finance_name_en, position) VALUES
    ('premium', 'Upah pembuat (premi)', 'Makers'' pay (premium)', 'Premi', 'Premium', 1),
    ('working_capital', 'Modal kerja bengkel', 'Workshop''s working capital', 'Modal kerja', 'Working capital', 2),
    ('state_revenue', 'Kas negara (PNBP)', 'State treasury (PNBP)', 'PNBP', 'State revenue (PNBP)', 3);

INSERT INTO commodity_groups (code, name, name_en, position) VALUES
    ('food', 'Makanan', 'Food', 1), ('drinks', 'Minuman', 'Drinks', 2), ('fashion', 'Busana', 'Fashion', 3),
    ('crafts', 'Kerajinan', 'Crafts', 4), ('jewellery', 'Perhiasan', 'Jewellery', 5),
    ('furniture', 'Furnitur', 'Furniture', 6), ('cosmetics', 'Kosmetik', 'Cosmetics', 7),
    ('herbal', 'Herbal', 'Herbal', 8), ('metal_goods', 'Barang logam', 'Metal goods', 9);

INSERT INTO shipping_zones (code, name, name_en) VALUES
    ('jawa', 'Jawa', 'Java'), ('sumatera', 'Sumatera', 'Sumatra'),
    ('bali_nusra', 'Bali dan Nusa Tenggara', 'Bali and Nusa Tenggara'), ('kalimantan', 'Kalimantan', 'Kalimantan'),
    ('sulawesi', 'Sulawesi', 'Sulawesi'), ('maluku_papua', 'Maluku dan Papua', 'Maluku and Papua');

INSERT INTO provinces (name, zone_id)
SELECT p.name, z.id FROM shipping_zones z JOIN (VALUES
    ('Aceh', 'sumatera'), ('Sumatera Utara', 'sumatera'), ('Sumatera Barat', 'sumatera'), ('Riau', 'sumatera'),
    ('Kepulauan Riau', 'sumatera'), ('Jambi', 'sumatera'), ('Bengkulu', 'sumatera'), ('Sumatera Selatan', 'sumatera'),
    ('Kepulauan Bangka Belitung', 'sumatera'), ('Lampung', 'sumatera'),
    ('Banten', 'jawa'), ('DKI Jakarta', 'jawa'), ('Jawa Barat', 'jawa'), ('Jawa Tengah', 'jawa'),
    ('DI Yogyakarta', 'jawa'), ('Jawa Timur', 'jawa'),
    ('Bali', 'bali_nusra'), ('Nusa Tenggara Barat', 'bali_nusra'), ('Nusa Tenggara Timur', 'bali_nusra'),
    ('Kalimantan Barat', 'kalimantan'), ('Kalimantan Tengah', 'kalimantan'), ('Kalimantan Selatan', 'kalimantan'),
    ('Kalimantan Timur', 'kalimantan'), ('Kalimantan Utara', 'kalimantan'),
    ('Sulawesi Utara', 'sulawesi'), ('Gorontalo', 'sulawesi'), ('Sulawesi Tengah', 'sulawesi'),
    ('Sulawesi Barat', 'sulawesi'), ('Sulawesi Selatan', 'sulawesi'), ('Sulawesi Tenggara', 'sulawesi'),
    ('Maluku', 'maluku_papua'), ('Maluku Utara', 'maluku_papua'), ('Papua', 'maluku_papua'),
    ('Papua Barat', 'maluku_papua'), ('Papua Barat Daya', 'maluku_papua'), ('Papua Tengah', 'maluku_papua'),
    ('Papua Pegunungan', 'maluku_papua'), ('Papua Selatan', 'maluku_papua')
) AS p (name, zone) ON p.zone = z.code ORDER BY p.name;

INSERT INTO shipping_methods (code, kind, name, name_en, max_weight_g, position) VALUES
    ('regular', 'delivery', 'Reguler', 'Regular', 30000, 1),
    ('cargo', 'delivery', 'Kargo', 'Cargo', NULL, 2),
    ('pickup', 'pickup', 'Ambil di galeri', 'Collect at the gallery', NULL, 3);

-- Within a city and a province the distance does not matter by zone; between zones it does.
INSERT INTO shipping_rates (method_id, origin_zone_id, destination_zone_id, reach, first_kg, next_kg, minimum_kg,
                            days_min, days_max)
SELECT m.id, z.id, z.id, r.reach, r.first_kg, r.next_kg, r.minimum_kg, r.days_min, r.days_max
  FROM shipping_zones z
 CROSS JOIN (VALUES
    ('regular', 'same_city', 9000::bigint, 7000::bigint, 1, 1, 2), ('regular', 'province', 12000, 10000, 1, 2, 3),
    ('cargo', 'same_city', 40000, 3500, 10, 1, 3), ('cargo', 'province', 60000, 5000, 10, 2, 5)
 ) AS r (method, reach, first_kg, next_kg, minimum_kg, days_min, days_max)
  JOIN shipping_methods m ON m.code = r.method;

INSERT INTO shipping_rates (method_id, origin_zone_id, destination_zone_id, reach, first_kg, next_kg, minimum_kg,
                            days_min, days_max)
SELECT m.id, a.id, b.id, 'nationwide',
       CASE m.code WHEN 'regular' THEN k.regular ELSE k.cargo * 10 END,
       CASE m.code WHEN 'regular' THEN k.regular ELSE k.cargo END,
       CASE m.code WHEN 'regular' THEN 1 ELSE 10 END,
       CASE m.code WHEN 'regular' THEN k.days ELSE k.days + 3 END,
       CASE m.code WHEN 'regular' THEN k.days + 2 ELSE k.days + 8 END
  FROM (VALUES
    ('jawa', 'jawa', 18000::bigint, 6000::bigint, 2), ('jawa', 'sumatera', 30000, 8500, 3),
    ('jawa', 'bali_nusra', 28000, 8000, 3), ('jawa', 'kalimantan', 36000, 9500, 3),
    ('jawa', 'sulawesi', 40000, 10500, 3), ('jawa', 'maluku_papua', 72000, 16500, 5),
    ('sumatera', 'sumatera', 26000, 7500, 3), ('sumatera', 'bali_nusra', 42000, 11000, 4),
    ('sumatera', 'kalimantan', 46000, 11500, 4), ('sumatera', 'sulawesi', 50000, 12500, 4),
    ('sumatera', 'maluku_papua', 84000, 18500, 6),
    ('bali_nusra', 'bali_nusra', 26000, 7500, 2), ('bali_nusra', 'kalimantan', 44000, 11500, 4),
    ('bali_nusra', 'sulawesi', 42000, 11000, 4), ('bali_nusra', 'maluku_papua', 70000, 16500, 5),
    ('kalimantan', 'kalimantan', 30000, 8500, 3), ('kalimantan', 'sulawesi', 42000, 11000, 4),
    ('kalimantan', 'maluku_papua', 76000, 17500, 6),
    ('sulawesi', 'sulawesi', 30000, 8500, 3), ('sulawesi', 'maluku_papua', 58000, 14000, 4),
    ('maluku_papua', 'maluku_papua', 48000, 12500, 4)
  ) AS k (one, other, regular, cargo, days)
 CROSS JOIN LATERAL (SELECT k.one AS origin, k.other AS destination UNION SELECT k.other, k.one) AS pair
  JOIN shipping_zones a ON a.code = pair.origin
  JOIN shipping_zones b ON b.code = pair.destination
 CROSS JOIN shipping_methods m
 WHERE m.kind = 'delivery';
