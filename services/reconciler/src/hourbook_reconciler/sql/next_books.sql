SELECT book, partition
FROM book.books
WHERE book > $1
ORDER BY book
LIMIT $2
