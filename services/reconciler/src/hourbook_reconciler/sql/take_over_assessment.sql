UPDATE book_next.assessment
SET fold_version = 0,
    after_book = '',
    finished = false,
    policy_version = (SELECT policy_version FROM book.assessment)
