"""Label and pose tables in DeepLabCut's layout, visibility, merging and splits."""

from posenb.labels.digest import labels_digest
from posenb.labels.files import has_labels, labels_csv, read_labels, table_stem, write_labels
from posenb.labels.merging import align_labels, join_labels, merge_labels
from posenb.labels.poses import pose_header, read_poses, spread_url, write_poses
from posenb.labels.saving import save_labels
from posenb.labels.splitting import given_split, make_split, read_split, write_split

__all__ = [
    "align_labels",
    "given_split",
    "has_labels",
    "join_labels",
    "labels_csv",
    "labels_digest",
    "make_split",
    "merge_labels",
    "pose_header",
    "read_labels",
    "read_poses",
    "read_split",
    "save_labels",
    "spread_url",
    "table_stem",
    "write_labels",
    "write_poses",
    "write_split",
]
