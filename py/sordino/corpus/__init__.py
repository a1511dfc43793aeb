"""The corpus command: folders of recordings go in, a manifest that training reads comes out."""
