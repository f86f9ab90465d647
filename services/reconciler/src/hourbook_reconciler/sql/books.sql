SELECT book, partition, state, halted, proposed
FROM book.books
WHERE book = ANY ($1::text[])
