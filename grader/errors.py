"""Exit statuses, and the one exception that ends a command with a sentence for the user."""

OK, INVALID, USAGE, BUILD, CRASH, FAULT, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

MEANING = {
    OK: "everything asked for was done",
    INVALID: "a check failed (doctor) or a score is below the minimum",
    USAGE: "wrong usage or bad input",
    BUILD: "mdriver could not be built",
    CRASH: "not used by the grader: a student's crash is a result, not an error",
    FAULT: "our own failure; some submissions could not be graded",
    INTERRUPTED: "interrupted; the same command resumes",
}


class Problem(Exception):
    """Something the user has to know: one sentence, and the exit status that goes with it."""

    def __init__(self, sentence: str, status: int = USAGE) -> None:
        super().__init__(sentence)
        self.status = status
