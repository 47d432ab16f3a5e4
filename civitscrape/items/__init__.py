"""What we keep of the site: flat items, tied by ids, each field documented under the field.

One declaration serves many uses: the order of the fields is the order of columns in CSV and SQL, the documentation of
the fields is the reference, and the marks inside ``Annotated`` say which fields are the key, how two answers about the
same thing are merged, and what is not a column.
"""

from civitscrape.items.enums import Level, MediaType, MetaState, ResourceSource
from civitscrape.items.images import APART, Image, ImageResource, ImageTag, PromptTag, Tag, TagName, VersionImage
from civitscrape.items.marks import (
    Always,
    Closest,
    Count,
    Earliest,
    First,
    Generation,
    Key,
    Longest,
    Mark,
    NoColumn,
    State,
)
from civitscrape.items.models import Model, ModelFile, ModelVersion
from civitscrape.items.people import Collection, CollectionEntry, Creator, Post

__all__ = [
    "APART",
    "TABLES",
    "Always",
    "Closest",
    "Collection",
    "CollectionEntry",
    "Count",
    "Creator",
    "Earliest",
    "First",
    "Generation",
    "Image",
    "ImageResource",
    "ImageTag",
    "Item",
    "Key",
    "Level",
    "Longest",
    "Mark",
    "MediaType",
    "MetaState",
    "Model",
    "ModelFile",
    "ModelVersion",
    "NoColumn",
    "Post",
    "PromptTag",
    "ResourceSource",
    "State",
    "Tag",
    "TagName",
    "VersionImage",
]

TABLES: dict[type, str] = {
    Creator: "creators",
    Model: "models",
    ModelVersion: "model_versions",
    ModelFile: "model_files",
    Image: "images",
    Tag: "tags",
    TagName: "tag_names",
    ImageTag: "image_tags",
    PromptTag: "prompt_tags",
    ImageResource: "image_resources",
    VersionImage: "version_images",
    Post: "posts",
    Collection: "collections",
    CollectionEntry: "collection_entries",
}
"""Table of each item; outside scripts read these names."""

Item = (
    Creator
    | Model
    | ModelVersion
    | ModelFile
    | Image
    | Tag
    | TagName
    | ImageTag
    | PromptTag
    | ImageResource
    | VersionImage
    | Post
    | Collection
    | CollectionEntry
)
