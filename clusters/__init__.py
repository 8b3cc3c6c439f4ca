"""How does a study get onto a cluster? `render` writes the cluster's file, `submit` sends the study there as a job."""
