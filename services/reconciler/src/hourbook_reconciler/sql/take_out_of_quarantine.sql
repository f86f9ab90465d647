WITH taken AS (
    DELETE FROM book.quarantine
    WHERE book = ANY ($1::text[])
    RETURNING partition, offset_, key, value, headers, at
)
SELECT * FROM taken ORDER BY partition, offset_
