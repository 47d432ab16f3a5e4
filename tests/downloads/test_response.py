from scrapy.utils.response import response_from_dict

from civitscrape.downloads.response import FileResponse


def make_response() -> FileResponse:
    return FileResponse(
        "https://image.example/a.png",
        headers={"Content-Type": "image/png"},
        path="/store/a.part",
        size=3,
        sha256="ab" * 32,
        head=b"abc",
    )


def facts(response: FileResponse) -> tuple[str, int, str, bytes]:
    return response.path, response.size, response.sha256, response.head


def test_what_is_known_of_the_file_survives_a_replacement():
    response = make_response()

    replaced = response.replace(url="https://image.example/b.png")

    assert isinstance(replaced, FileResponse)
    assert replaced.url == "https://image.example/b.png"
    assert facts(replaced) == facts(response)
    assert replaced.headers == response.headers


def test_what_is_known_of_the_file_survives_a_copy():
    response = make_response()

    assert facts(response.copy()) == facts(response)


def test_what_is_known_of_the_file_survives_a_dict():
    response = make_response()

    revived = response_from_dict(response.to_dict())

    assert isinstance(revived, FileResponse)
    assert facts(revived) == facts(response)


def test_there_is_no_body_beside_the_file():
    assert make_response().body == b""
